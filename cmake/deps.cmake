# The libraries Voxmind is built on, behind one target: vox_deps.
# tools/install-deps installs all of them; every message here names it.
find_package(PkgConfig QUIET)
if(NOT PKG_CONFIG_FOUND)
    message(FATAL_ERROR "pkg-config was not found; run tools/install-deps once, then make again")
endif()

add_library(vox_deps INTERFACE)
set(missing "")

foreach(name json-c libdeflate zlib cairo)
    pkg_check_modules(${name} QUIET IMPORTED_TARGET ${name})
    if(${name}_FOUND)
        target_link_libraries(vox_deps INTERFACE PkgConfig::${name})
    else()
        list(APPEND missing ${name})
    endif()
endforeach()

# A library without a pkg-config file.
find_path(CSV_INCLUDE csv.h)
find_library(CSV_LIBRARY csv)
mark_as_advanced(CSV_INCLUDE CSV_LIBRARY)
if(NOT CSV_INCLUDE OR NOT CSV_LIBRARY)
    list(APPEND missing "libcsv (csv.h)")
endif()

# C-Blosc2: the folder filled by tools/install-deps, else the system's own package.
if(NOT VOX_DEPS AND DEFINED ENV{VOX_DEPS})
    set(VOX_DEPS $ENV{VOX_DEPS} CACHE PATH "" FORCE)
endif()
if(NOT VOX_DEPS)
    set(deps_dir ${CMAKE_SOURCE_DIR}/.deps)
else()
    set(deps_dir ${VOX_DEPS})
endif()
if(EXISTS ${deps_dir}/blosc2/lib/libblosc2.a)
    find_package(Threads REQUIRED)
    add_library(blosc2 STATIC IMPORTED)
    set_target_properties(blosc2 PROPERTIES
        IMPORTED_LOCATION ${deps_dir}/blosc2/lib/libblosc2.a
        INTERFACE_INCLUDE_DIRECTORIES ${deps_dir}/blosc2/include
        INTERFACE_LINK_LIBRARIES "Threads::Threads;m;${CMAKE_DL_LIBS}")
    target_link_libraries(vox_deps INTERFACE blosc2)
else()
    pkg_check_modules(blosc2 QUIET IMPORTED_TARGET blosc2>=2.10)
    if(blosc2_FOUND)
        target_link_libraries(vox_deps INTERFACE PkgConfig::blosc2)
    else()
        list(APPEND missing "blosc2 (looked in ${deps_dir} and pkg-config)")
    endif()
endif()

if(missing)
    list(JOIN missing ", " missing)
    message(FATAL_ERROR "not found: ${missing}; run tools/install-deps once, then make again")
endif()
target_include_directories(vox_deps SYSTEM INTERFACE ${CSV_INCLUDE})
target_link_libraries(vox_deps INTERFACE ${CSV_LIBRARY} m)

find_package(Threads REQUIRED)
target_link_libraries(vox_deps INTERFACE Threads::Threads)
