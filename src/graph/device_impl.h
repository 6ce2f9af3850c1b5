/* device_impl: the device types of this library, for device.c. */
#ifndef VOX_GRAPH_DEVICE_IMPL_H
#define VOX_GRAPH_DEVICE_IMPL_H

#include "graph/device.h"

extern const vox_device_type vox_device_cpu;

/* Opens its queue thread. @return VOX_OK; VOX_E_NOMEM */
int vox_device_fake_start(vox_device *d);

#endif
