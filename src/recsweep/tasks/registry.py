"""Every task by its name in an experiment."""

from typing import Any

from recsweep.tasks.next_item.task import NEXT_ITEM
from recsweep.tasks.purchase.task import PURCHASE
from recsweep.tasks.task import Task

TASKS: dict[str, Task[Any]] = {task.name: task for task in (NEXT_ITEM, PURCHASE)}
