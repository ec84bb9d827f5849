"""Run by Alembic for every migration; quizprop.store.schema hands it a connection inside a transaction."""

from alembic import context

from quizprop.store.models import Base

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("Migrations need a connection: call quizprop.store.schema.upgrade.")

context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
