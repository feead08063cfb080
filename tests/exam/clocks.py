"""R5, clocks: the time of day jumps by up to 400 days, forth and back, between any two looks at it."""

from __future__ import annotations

import random

from driftline.capture import upkeep
from driftline.capture.captures import Captures, Limits
from driftline.capture.event import now
from exam import forks
from exam.judge import event, halves, judge
from exam.kills import place
from exam.verdict import Effort, Verdict

__all__ = ["clocks"]

_DAY = 86_400_000_000


def clocks(effort: Effort) -> list[Verdict]:
    """Store, pair, repeat, compact and sweep while the clock jumps; events have their sender's time."""
    verdict = Verdict(
        "W18",
        "the clock jumps by up to 400 days",
        "clock= of the store jumps at every call, a third of the time",
    )
    for number in effort.each():
        with place(in_memory=True) as folder:
            acks = forks.Acks(4096)

            def act(number: int = number, folder: object = folder, acks: forks.Acks = acks) -> None:
                dice = random.Random(effort.seed * 1000 + number)
                shift = 0

                def clock() -> int:
                    nonlocal shift
                    if dice.random() < 0.33:
                        shift = dice.randint(-400, 400) * _DAY
                    return now() + shift

                limits = Limits(seal_seconds=0.02, pair_seconds=60.0)
                captures = Captures(str(folder), seal_in="thread", limits=limits, clock=clock)
                for first in range(0, 60, 6):
                    numbers = list(range(first, first + 6))
                    for one in numbers:
                        acks.send(one)
                    whole = [one for one in numbers if one % 3]
                    captures.write([event(one, received=clock()) for one in whole])
                    captures.write([event(one, received=clock()) for one in dice.sample(whole, 2)])
                    captures.write([halves(one)[0] for one in numbers if not one % 3])
                    if dice.random() < 0.7:
                        captures.seal()
                    captures.write([halves(one)[1] for one in numbers if not one % 3])
                    for one in numbers:
                        acks.tell(one)
                    if dice.random() < 0.3:
                        upkeep.compact(captures.archive)
                captures.close()

            verdict.times += 1
            code = forks.wait(forks.start(act), 60.0)
            verdict.wrong("failed", int(code != 0), f"round {number} ended with {code}")
            verdict.acknowledged += len(acks.told)
            judge(verdict, folder, acks, f"seed {effort.seed} round {number}")
            acks.close()
    return [verdict]
