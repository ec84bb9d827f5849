"""A backup taken while a class works restores to a consistent, complete site."""

from tests.store.working_class import work_and_restore


def test_backups_of_a_class_at_work_restore_to_what_it_had_done(tmp_path):
    work_and_restore(tmp_path, 3)
