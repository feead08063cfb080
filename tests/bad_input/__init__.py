"""The bad-input suite: what driftline must do with everything it should never have been given.

* ``case`` the words: a case, the files it makes, the commands it runs, how they must end.
* ``cases/`` the manifest, one module per class of input; ``cases.ALL`` is all of it.
* ``making`` how the files are made, at test time and from fixed seeds.
* ``processes`` real processes at the price of a fork; ``judging`` what must be true of every ending.
* ``fuzz`` seeded mutations: some in every run, thousands in ``make exam``.
"""
