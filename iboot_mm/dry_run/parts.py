"""The parts of a step: which weights and which operations belong to which."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from torch import Tensor, nn
from torch.optim import Optimizer

from ..models.modules.momentum import MomentumCopy
from ..models.teachers import FrozenTeacher
from .watch import Watch

AUGMENTATION, TEACHER, MOMENTUM, OPTIMIZER = 'augmentation', 'teacher', 'momentum copy', 'optimizer'


class Parts:
    """The parts of a model: its children by their names, its teachers, its momentum copy and the optimizer.

    Args:
        watch: Who is told when a part begins and ends.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.teachers: list[FrozenTeacher] = []

    @contextmanager
    def noting_teachers(self) -> Iterator[None]:
        """Teachers that are built inside are known from there on; they are no modules of the model."""
        build = FrozenTeacher.__init__

        def noting(teacher: FrozenTeacher, *args: Any, **kwargs: Any) -> None:
            build(teacher, *args, **kwargs)
            self.teachers.append(teacher)

        with mock.patch.object(FrozenTeacher, '__init__', noting):
            yield

    @contextmanager
    def marked(self, model: nn.Module, optimizer: Optimizer) -> Iterator[None]:
        """Inside, the watch knows what each part does."""
        with ExitStack() as stack:
            call, watch = FrozenTeacher.__call__, self.watch

            def teach(teacher: FrozenTeacher, *args: Any, **kwargs: Any) -> Tensor:
                with watch.within(TEACHER):
                    return call(teacher, *args, **kwargs)

            stack.enter_context(mock.patch.object(FrozenTeacher, '__call__', teach))
            for name, child in model.named_children():
                if name != 'momentum':
                    self._mark(stack, child, AUGMENTATION if name == 'data_preprocessor' else name)
                elif isinstance(child, MomentumCopy):
                    self._mark(stack, child, MOMENTUM)
            enter = optimizer.register_step_pre_hook(lambda *_: watch.enter(OPTIMIZER))
            leave = optimizer.register_step_post_hook(lambda *_: watch.leave())
            stack.callback(enter.remove)
            stack.callback(leave.remove)
            yield

    def _mark(self, stack: ExitStack, module: nn.Module, part: str) -> None:
        enter = module.register_forward_pre_hook(lambda *_: self.watch.enter(part))
        leave = module.register_forward_hook(lambda *_: self.watch.leave())
        stack.callback(enter.remove)
        stack.callback(leave.remove)

    def weights(self, model: nn.Module) -> dict[str, list[Tensor]]:
        """Parameters and buffers by part."""
        found: dict[str, list[Tensor]] = {}
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            part = name.split('.')[0]
            found.setdefault(MOMENTUM if part == 'momentum' else part, []).append(tensor)
        for teacher in self.teachers:
            found.setdefault(TEACHER, []).extend([*teacher.network.parameters(), *teacher.network.buffers()])
        return found
