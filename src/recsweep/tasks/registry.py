"""Every task by its name in an experiment, ours and those of other packages."""

from typing import Any

from recsweep.config.schema import part_of_task, task_packages
from recsweep.tasks.task import Task

TASKS: dict[str, Task[Any]] = {name: part_of_task(name, "task").TASK for name in task_packages()}
