"""Every error that pynvml can raise, by name, and what some of them mean."""

import pynvml

CODES = {
    name.removeprefix("NVML_ERROR_"): getattr(pynvml, name) for name in dir(pynvml) if name.startswith("NVML_ERROR_")
}

NO_DRIVER = {"LIBRARY_NOT_FOUND", "DRIVER_NOT_LOADED"}
GONE = NO_DRIVER | {"UNINITIALIZED", "GPU_IS_LOST", "RESET_REQUIRED", "LIB_RM_VERSION_MISMATCH", "GPU_NOT_FOUND"}
NOT_OFFERED = {
    "NOT_SUPPORTED", "FUNCTION_NOT_FOUND", "ARGUMENT_VERSION_MISMATCH", "DEPRECATED", "VGPU_ECC_NOT_SUPPORTED",
    "FREQ_NOT_SUPPORTED", "RESET_TYPE_NOT_SUPPORTED",
}  # fmt: skip
