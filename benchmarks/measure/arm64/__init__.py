"""Instructions that a frame costs on a Cortex-A72, counted while QEMU emulates one."""
