"""A recorded Raspberry Pi 4, as a folder."""

import pytest

RASPBERRY_PI_4 = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/cpuinfo": (
        "processor\t: 0\nBogoMIPS\t: 108.00\n"
        "Features\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\n"
        "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n"
        "Revision\t: c03114\nSerial\t\t: 10000000deadbeef\n"
        "Model\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
    ),
    "proc/meminfo": "MemTotal:        3881600 kB\nMemFree:         2904048 kB\n",
    "proc/sys/kernel/osrelease": "6.12.47+rpt-rpi-v8\n",
    "sys/devices/system/cpu/online": "0-3\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "1800000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48686\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
    "sys/class/video4linux/video0/name": "unicam\n",
    "sys/class/video4linux/video10/name": "bcm2835-codec-decode\n",
    "sys/class/video4linux/video13/name": "bcm2835-isp-output0\n",
    "etc/rpi-issue": "Raspberry Pi reference 2025-10-01\n",
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n',
}


@pytest.fixture
def pi(tmp_path):
    """Root folder of the recorded Pi; a test may change its files."""
    root = tmp_path / "pi"
    for name, text in RASPBERRY_PI_4.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
