"""Indexes that are built while a table is in use."""

from __future__ import annotations

import pytest
from migration_project import Project

from crowsfoot.errors import NotSupportedError
from crowsfoot.migrations import commands
from crowsfoot.testing import capture_queries

PLAIN = """
class Post(models.Model):
    title = models.CharField(max_length=200)
"""
INDEXED = (
    PLAIN
    + """
    class Meta:
        indexes = [models.Index(fields=["title"], name="by_title")]
"""
)


def edited(project: Project, *, atomic: bool) -> None:
    """The written migration, with the step and its option changed by hand."""
    project.write(PLAIN)
    project.make()
    project.migrate()
    project.write(INDEXED)
    (written,) = project.make()
    text = written.text.replace("migrations.AddIndex(", "AddIndexConcurrently(").replace(
        "class Migration(migrations.Migration):\n", f"class Migration(migrations.Migration):\n    atomic = {atomic}\n"
    )
    written.path.write_text(f"from crowsfoot.contrib.postgres.operations import AddIndexConcurrently\n{text}")


def said(sent: list[dict[str, str]], words: str) -> bool:
    return any(query["sql"].startswith(words) for query in sent)


@pytest.mark.capability(116)
def test_an_index_is_built_and_dropped_concurrently(project: Project) -> None:
    edited(project, atomic=False)
    project.model("Post").objects.create(title="Hello")
    words = " CONCURRENTLY" if project.database.vendor == "postgresql" else ""
    with capture_queries() as sent:
        assert project.migrate() == ["blog.0002_post_by_title"]
    assert said(sent, f'CREATE INDEX{words} "by_title" ')
    assert not commands.check_migrations()
    with capture_queries() as sent:
        project.migrate("blog", "0001")
    assert said(sent, f'DROP INDEX{words} IF EXISTS "by_title"')


def test_not_inside_a_transaction(project: Project) -> None:
    edited(project, atomic=True)
    with pytest.raises(NotSupportedError, match="Write atomic = False in the migration"):
        project.migrate()
