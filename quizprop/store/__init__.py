"""What quizprop remembers: who practises, what was served, what was typed.

The functions of this package take the session first. They never commit and never read the clock: a moment comes in as
``now``, whole microseconds since 1970 in UTC. `quizprop.store.database` opens the database and ends the transactions.
"""
