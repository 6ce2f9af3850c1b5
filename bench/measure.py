"""What the benches share: processes with their memory and the company they had, medians, lines."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "voxmind"


def _cpu_seconds():
    """CPU seconds of the whole machine since its start, in use or taken by other guests."""
    with open("/proc/stat") as f:
        ticks = [int(v) for v in f.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A measured program failed; it has said why."""


def run(command, env=None):
    """Run a command. Returns its stdout, and what the machine did meanwhile:

    rss_mib    its peak memory, as the kernel counts it
    cpu_s      CPU seconds it used
    other_cpu  cores that other processes used, or other guests took. Above some 0.1 the times
               are not worth much.
    """
    before, start = _cpu_seconds(), time.monotonic()
    command = [str(word) for word in command]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(" ".join(command))
    used = _cpu_seconds() - before - usage.ru_utime - usage.ru_stime
    return out, {
        "rss_mib": round(usage.ru_maxrss / 1024, 1),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "other_cpu": round(max(0.0, used) / (time.monotonic() - start), 2),
    }


def lines(text):
    """The JSON objects of a text, one per line."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def stop(why):
    """End the program with a message."""
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {why}")


def say(**fields):
    """One JSON line on stdout; returns what it says."""
    print(json.dumps(fields), flush=True)
    return fields


def undisturbed(rows, most):
    """The rows of processes beside which others used at most so many cores; None: all."""
    return [r for r in rows if most is None or r.get("other_cpu", 0) <= most]


def median(values):
    return round(statistics.median(values), 4)


def cores():
    return len(os.sched_getaffinity(0))


def version(program):
    """"0.1.0 (<commit>)": what the program says it was built from."""
    found = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True)
    return found.stdout.partition("\n")[0].removeprefix("voxmind ")


def machine():
    """What a figure is worth nothing without."""
    model = "unknown"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
                break
    return {
        "machine": model,
        "cores": cores(),
        "kernel": os.uname().release,
        "date": time.strftime("%Y-%m-%d %H:%M"),
    }


def voxmind(program, arguments, cpu, env):
    """Lines of `voxmind bench ...` on a kernel path (None: its choice), and run()'s facts."""
    if cpu:
        env = {**env, "VOX_CPU": cpu}
    out, company = run([program, "bench", *arguments, "-q"], env)
    return lines(out), company
