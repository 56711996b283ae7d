"""What GPUs hold and how fast they are, by their makers' datasheets."""

from dataclasses import dataclass

GB = 10 ** 9


@dataclass(frozen=True)
class GPU:
    """One kind of GPU. Rates are of dense matrices, with sums in float32.

    Attributes:
        name: Its name.
        memory: 10^9 bytes. What ECC, driver and context leave lies between this and as many GiB, so that to count in
            10^9 bytes is the careful side.
        bandwidth: Of its memory, 10^9 bytes/s.
        fp32: 10^12 floating-point operations/s of float32, of its plain cores.
        tf32: The same of float32 in TensorFloat-32, which cuDNN's convolutions take by default; ``fp32`` where the GPU
            lacks it.
        half: The same of bfloat16, or of float16 where the GPU lacks bfloat16.
        capability: Compute capability; bfloat16 and FlashAttention are there from 8.0 on.
        link: Between the GPUs of a machine, 10^9 bytes/s in one direction: half of NVLink's stated rate, or PCIe.
        source: Where the figures stand.
    """

    name: str
    memory: float
    bandwidth: float
    fp32: float
    tf32: float
    half: float
    capability: tuple[int, int]
    link: float
    source: str

    @property
    def bf16(self) -> bool:
        """Whether it has bfloat16 and FlashAttention."""
        return self.capability >= (8, 0)

    def peak(self, dtype: str, product: bool = False) -> float:
        """Operations/s of a convolution, or of a matrix product, which torch keeps from TF32 unless told otherwise.

        Args:
            dtype: ``float32``, ``bfloat16`` or ``float16``.
            product: Whether it is a matrix product.
        """
        if dtype == 'float32':
            return (self.fp32 if product else self.tf32) * 1e12
        return (self.half if self.bf16 or dtype == 'float16' else self.fp32) * 1e12


_NVIDIA = 'https://images.nvidia.com/'
_VOLTA = _NVIDIA + 'content/technologies/volta/pdf/volta-v100-datasheet-update-us-1165301-r5.pdf'
_AMPERE = 'https://www.nvidia.com/content/PDF/nvidia-ampere-ga-102-gpu-architecture-whitepaper-v2.pdf'
_ADA = _NVIDIA + 'aem-dam/Solutions/Data-Center/l4/nvidia-ada-gpu-architecture-whitepaper-v2.1.pdf'
_A100 = ('https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a100/pdf/'
         'nvidia-a100-datasheet-us-nvidia-1758950-r4-web.pdf')

GPUS = {
    # memory, bandwidth, fp32, tf32, half, capability, link
    'v100-16': GPU('V100 SXM2 16 GB', 16, 900, 15.7, 15.7, 125, (7, 0), 150, _VOLTA),
    'v100-32': GPU('V100 SXM2 32 GB', 32, 900, 15.7, 15.7, 125, (7, 0), 150, _VOLTA),
    't4': GPU('T4', 16, 320, 8.1, 8.1, 65, (7, 5), 16,
              'https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/tesla-t4/t4-tensor-core-datasheet-951643.pdf'),
    'rtx3090': GPU('GeForce RTX 3090', 24, 936, 35.6, 35.6, 71, (8, 6), 32, _AMPERE),
    'rtx4090': GPU('GeForce RTX 4090', 24, 1008, 82.6, 82.6, 165.2, (8, 9), 32, _ADA),
    'a10': GPU('A10', 24, 600, 31.2, 62.5, 125, (8, 6), 32,
               'https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a10/pdf/a10-datasheet.pdf'),
    'a100-40': GPU('A100 SXM4 40 GB', 40, 1555, 19.5, 156, 312, (8, 0), 300, _A100),
    'a100-80': GPU('A100 SXM4 80 GB', 80, 2039, 19.5, 156, 312, (8, 0), 300, _A100),
    'l40s': GPU('L40S', 48, 864, 91.6, 183, 362, (8, 9), 32,
                'https://resources.nvidia.com/en-us-l40s/l40s-datasheet-28413'),
    'h100-80': GPU('H100 SXM5 80 GB', 80, 3350, 67, 494.7, 989.4, (9, 0), 450,
                   'https://resources.nvidia.com/en-us-tensor-core/nvidia-tensor-core-gpu-datasheet'),
    'h200': GPU('H200 SXM', 141, 4800, 67, 494.7, 989.4, (9, 0), 450,
                'https://resources.nvidia.com/en-us-data-center-overview/hopper-h200-datasheet'),
    'b200': GPU('B200 (DGX)', 180, 8000, 75, 1125, 2250, (10, 0), 900,
                'https://resources.nvidia.com/en-us-dgx-systems/dgx-b200-datasheet'),
}


def gpu_named(name: str) -> GPU:
    """A GPU of the table.

    Raises:
        ValueError: it is not there.
    """
    if name not in GPUS:
        raise ValueError(f'--gpu {name}: not in the table; choose one of {", ".join(GPUS)}')
    return GPUS[name]
