"""Test your app with gearshift: on machines that you don't have, in event time, without models, and without a wait.

Everything here plays a part that is real in production: samples are `Sample`s, decisions come from the code that makes
them live, and only the machine is scripted. Time is the samples' own, so five minutes of it pass in a millisecond.

## Your own subscriber

Samples, residencies and ladders are made in one line each, checked as they are made (`sample`, `samples_of`,
`residency`, `rungs_of`; sizes in bytes, `GIB` is one). Feed a `ProactiveScaler` from a Subject, and assert what your
subscriber did:

```pycon
>>> from gearshift.pipeline import ProactiveScaler, Settings
>>> from gearshift.pipeline.testing import GIB, rungs_of, sample
>>> from reactivex import Subject
>>> ladder, source, shown = rungs_of(large=6 * GIB, small=2 * GIB), Subject(), []
>>> scaler = ProactiveScaler(ladder, Settings(), source)
>>> _ = scaler.decisions.subscribe(lambda decision: shown.append(f"loading {decision.target}"))
>>> with scaler:
...     source.on_next(sample(0.0, ram=(3 * GIB, 16 * GIB)))
>>> shown
['loading large']

```

`ScriptedProbe` and `ScriptedNvml` stand one step earlier, for what reads the machine: readings and failures in the
order of a script, and GPUs that don't exist.

## Operators, by marbles

`series` makes stamped items of a line of text, `run` sends them through an operator and checks that it completes and
lets go of its source, `marble` writes what came under what went in. They need only reactivex, and are in
`gearshift.operators.testing`.

```pycon
>>> from gearshift.operators import debounce
>>> from gearshift.pipeline.testing import marble, run, series
>>> source =                                    "FTFFFTTTTFF"
>>> assert marble(run(debounce(2), series(source))) == "----FFFTTTT"

```

## Decisions on a recording

`replayed` gives all decisions over a recording; where you have none of what you want to test, `write_recording` makes
one of a story. `marble_of` shows decisions as a line: `u` up, `d` down, `s` shed, a capital where it is immediate.

```pycon
>>> from tempfile import TemporaryDirectory
>>> from gearshift.pipeline import replayed
>>> from gearshift.pipeline.testing import marble_of, residency, samples_of, write_recording
>>> others = [2 * GIB] * 20 + [9 * GIB] * 20  # a game starts
>>> story = [residency("large"), *samples_of(others, total=16 * GIB, own=6 * GIB)]
>>> with TemporaryDirectory() as folder:
...     file = write_recording(f"{folder}/game.jsonl", story, ladder=ladder)
...     marble_of(replayed(file), 40)
'--------------------D-------------------'

```

In pytest the fixtures `replay_decisions` and `assert_golden` hold the decisions on a recording to a stored file; they
come with the install, and `gearshift.models.pytest_plugin` has a whole example.

## Your own backend

A backend hears decisions and tells residencies. `FakeLoader` stands for it: it takes the time that you say, fails where
you say, and shows what it holds in the samples, so that the loop is closed and each decision meets the outcome of the
one before. `play` runs the loop:

```pycon
>>> from gearshift.pipeline.testing import FakeLoader
>>> loader = FakeLoader(ladder, load_seconds={"large": 8.0, "small": 3.0})
>>> made = loader.play(samples_of([2 * GIB] * 20 + [9 * GIB] * 20 + [2 * GIB] * 320, total=16 * GIB))
>>> marble_of(made, 36, frame=10.0)
'u-D-------------------------------u-'
>>> loader.rung, loader.own == {"ram": 6 * GIB}
('large', True)

```

Or put it where your backend would be, beside a scaler of your own:

```pycon
>>> loader = FakeLoader(ladder, broken=["large"])
>>> scaler = ProactiveScaler(ladder, Settings(), loader.samples, residencies=loader.residencies)
>>> with scaler, scaler.decisions.subscribe(loader.obey):
...     for each in samples_of([2 * GIB] * 5, total=16 * GIB):
...         loader.push(each)
>>> [decision.target for decision in loader.decisions], loader.rung
(['large', 'small'], 'small')

```

## An app with a ModelManager

`gearshift.models.testing` has what answers without a model: `FakeModels` loads for `InlineHost`, `FakeHost` can lose a
model as a worker that is killed, and `fake_ladder` writes checkpoints that have sizes and no weights. Shifts are
carried out on a thread of their own, so wait for the outcome, never for a while.

```pycon
>>> from queue import Queue
>>> from gearshift.models import ModelManager, Options
>>> from gearshift.models.testing import FakeHost, fake_ladder
>>> source, outcomes, three = Subject(), Queue(), Options(max_new_tokens=3)
>>> with TemporaryDirectory() as folder:
...     rungs = fake_ladder(folder, large=GIB // 5, small=GIB // 99)
...     with ModelManager(rungs, Settings(), source=source, host=FakeHost(), cache=folder) as manager:
...         _ = manager.outcomes.subscribe(outcomes.put)
...         source.on_next(sample(0.0, ram=(0.25 * GIB, GIB)))
...         first = manager.respond("What is gravity?", options=three)
...         _ = outcomes.get(timeout=60)  # of the load
...         source.on_next(sample(10.0, ram=(GIB, GIB), own=0.25 * GIB))
...         _ = outcomes.get(timeout=60)  # of the shift
...         second = manager.respond("Who discovered it?", options=three)
>>> first, first.rungs, second.rungs
('word0 word1 word2 ', ('large',), ('small',))

```
"""

from ...operators.testing import hot, marble, run, series
from ..words import GIB
from .building import residency, rungs_of, sample, samples_of
from .loader import FakeLoader
from .nvml import ScriptedGpu, ScriptedNvml
from .probe import ScriptedProbe
from .stories import marble_of, write_recording

__all__ = [
    "GIB", "FakeLoader", "ScriptedGpu", "ScriptedNvml", "ScriptedProbe", "hot", "marble", "marble_of", "residency",
    "run", "rungs_of", "sample", "samples_of", "series", "write_recording",
]  # fmt: skip
