"""What a database says of an error is noted without anybody's values."""

import logging

from sqlalchemy import text

from quizprop.store.database import open_database
from quizprop.web.logs import Site, register

ROW = {"name": "sentinel"}


def test_an_error_of_the_database_is_noted_without_its_values(url, caplog):
    """Neither the values of the statement nor, of PostgreSQL, the row in its message."""
    database = open_database(url)
    insert = text("INSERT INTO named (name) VALUES (:name)")
    with database.write() as session:
        session.execute(text("CREATE TABLE named (name VARCHAR(20) UNIQUE)"))
        session.execute(insert, ROW)
    site = Site(__name__)

    @site.get("/")
    def twice():
        with database.write() as session:
            session.execute(insert, ROW)

    site.config.update(LOG="text", PROXIES=0)
    register(site)
    with caplog.at_level(logging.ERROR):
        assert site.test_client().get("/").status_code == 500
    database.close()
    assert "IntegrityError" in caplog.text
    assert "INSERT INTO named" in caplog.text
    assert "sentinel" not in caplog.text
