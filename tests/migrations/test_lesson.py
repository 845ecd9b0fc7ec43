"""The blog of the lesson, from its first models to changed ones and back, with its rows."""

from __future__ import annotations

import pytest
from migration_project import Project

from crowsfoot.errors import IntegrityError
from crowsfoot.migrations import commands
from crowsfoot.transaction import atomic

FIRST = """
class Author(models.Model):
    name = models.CharField(max_length=100)

class Post(models.Model):
    title = models.CharField(max_length=200)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")
"""
SECOND = (
    FIRST
    + """    tags = models.ManyToManyField("Tag", related_name="posts")

class Tag(models.Model):
    name = models.CharField(max_length=50)

class Profile(models.Model):
    author = models.OneToOneField(Author, on_delete=models.CASCADE)
    bio = models.TextField(blank=True)
"""
)
RENAMED = SECOND.replace("title", "headline").replace("Author", "Writer").replace("author", "writer")
LINKS = (
    "SELECT headline, name FROM blog_post p JOIN blog_post_tags l ON l.post_id = p.id "
    "JOIN blog_tag t ON t.id = l.tag_id"
)


def begun(project: Project) -> None:
    """The first models, migrated, with an author and two posts."""
    project.write(FIRST)
    project.make()
    project.migrate()
    author = project.model("Author").objects.create(name="Asha")
    for title in ("Hello", "Django tips"):
        author.posts.create(title=title)


def extended(project: Project) -> None:
    """Tags and profiles besides."""
    begun(project)
    project.write(SECOND)
    project.make()
    project.migrate()
    post = project.model("Post").objects.order_by("id").first()
    post.tags.add(project.model("Tag").objects.create(name="python"))
    project.model("Profile").objects.create(author=post.author, bio="writes")


def renamed(project: Project) -> None:
    extended(project)
    project.write(RENAMED)
    project.make(ask_rename=True, ask_rename_model=True)
    project.migrate()


def test_the_first_migration(project: Project) -> None:
    assert commands.make_migrations() == []
    project.write(FIRST)
    assert commands.check_migrations()
    (one,) = project.make()
    assert (one.app_label, one.name) == ("blog", "0001_initial")
    assert one.path == project.root / "blog" / "migrations" / "0001_initial.py"
    assert one.path.read_text() == one.text
    assert [operation.describe() for operation in one.operations] == ["Create model Author", "Create model Post"]
    assert not commands.check_migrations()
    assert commands.show_migrations() == [("blog", "0001_initial", False)]
    assert project.migrate() == ["blog.0001_initial"]
    assert project.tables() == {"blog_author", "blog_post"}
    assert commands.show_migrations() == [("blog", "0001_initial", True)]
    assert project.migrate() == []


@pytest.mark.capability(109)
def test_relations_are_added(project: Project) -> None:
    extended(project)
    assert project.tables() == {"blog_author", "blog_post", "blog_tag", "blog_profile", "blog_post_tags"}
    assert project.rows("SELECT title FROM blog_post ORDER BY id") == [("Hello",), ("Django tips",)]
    assert project.rows(
        "SELECT name, migration FROM (SELECT app AS name, name AS migration FROM django_migrations) m"
    ) == [
        ("blog", "0001_initial"),
        ("blog", "0002_tag_profile_post_tags"),
    ]


@pytest.mark.capability(110)
def test_renames_keep_every_row_and_link(project: Project) -> None:
    renamed(project)
    assert project.tables() == {"blog_writer", "blog_post", "blog_tag", "blog_profile", "blog_post_tags"}
    assert project.rows("SELECT headline, writer_id FROM blog_post ORDER BY id") == [("Hello", 1), ("Django tips", 1)]
    assert project.rows("SELECT bio, writer_id FROM blog_profile") == [("writes", 1)]
    assert project.rows(LINKS) == [("Hello", "python")]
    assert project.model("Writer").objects.get().posts.count() == 2
    assert not commands.check_migrations()


def test_the_rules_of_renamed_tables_hold(project: Project) -> None:
    renamed(project)
    with pytest.raises(IntegrityError):
        project.model("Post").objects.create(headline="lost", writer_id=99)
    with pytest.raises(IntegrityError):
        project.model("Profile").objects.create(writer_id=1)
    project.model("Writer").objects.get().delete()
    assert project.rows("SELECT * FROM blog_post") == project.rows("SELECT * FROM blog_profile") == []


def test_back_to_the_first_and_forwards_again(project: Project) -> None:
    renamed(project)
    names = [name for _, name, _ in commands.show_migrations()]
    assert project.migrate("blog", "0001") == [f"-blog.{names[2]}", f"-blog.{names[1]}"]
    assert project.tables() == {"blog_author", "blog_post"}
    assert project.rows("SELECT title, author_id FROM blog_post ORDER BY id") == [("Hello", 1), ("Django tips", 1)]
    assert project.migrate("blog") == [f"blog.{names[1]}", f"blog.{names[2]}"]
    assert project.rows("SELECT headline, writer_id FROM blog_post ORDER BY id") == [("Hello", 1), ("Django tips", 1)]


def test_back_to_nothing(project: Project) -> None:
    renamed(project)
    assert len(project.migrate("blog", "zero")) == 3
    assert project.tables() == set()
    assert project.rows("SELECT * FROM django_migrations") == []
    assert len(project.migrate()) == 3


def test_altered_and_removed_fields(project: Project) -> None:
    extended(project)
    changed = SECOND.replace("max_length=200", "max_length=300, db_index=True").replace(
        "bio = models.TextField(blank=True)", "age = models.IntegerField(default=7)"
    )
    project.write(changed)
    (one,) = project.make()
    assert [operation.describe() for operation in one.operations] == [
        "Remove field bio from profile",
        "Add field age to profile",
        "Alter field title on post",
    ]
    project.migrate()
    assert project.rows("SELECT author_id, age FROM blog_profile") == [(1, 7)]
    assert project.rows("SELECT title FROM blog_post ORDER BY id") == [("Hello",), ("Django tips",)]
    project.migrate("blog", "0002")
    assert project.rows("SELECT author_id, bio FROM blog_profile") == [(1, "")]


def test_removed_models(project: Project) -> None:
    extended(project)
    project.write(FIRST)
    (one,) = project.make()
    project.migrate()
    assert project.tables() == {"blog_author", "blog_post"}
    assert project.rows("SELECT count(*) FROM blog_post") == [(2,)]
    project.migrate("blog", "0002")
    assert project.tables() >= {"blog_tag", "blog_profile", "blog_post_tags"}
    assert "DeleteModel" in one.text


def test_the_sql_of_a_migration(project: Project) -> None:
    begun(project)
    forwards, backwards = (commands.sql_migrate("blog", "0001", backwards=way) for way in (False, True))
    assert forwards[0].startswith("BEGIN")
    assert forwards[-1] == "COMMIT;"
    assert "-- Create model Author" in forwards
    assert any(line.startswith('CREATE TABLE "blog_post"') for line in forwards)
    assert [line for line in backwards if line.startswith("DROP")] == [
        line for line in backwards if "blog_post" in line or "blog_author" in line
    ]
    assert project.tables() == {"blog_author", "blog_post"}


@pytest.mark.capability(113)
def test_a_foreign_key_becomes_a_one_to_one_and_back(project: Project) -> None:
    begun(project)
    project.write(FIRST.replace("ForeignKey", "OneToOneField").replace("posts", "post"))
    project.make()
    with pytest.raises(IntegrityError):
        project.migrate()
    assert project.rows("SELECT title FROM blog_post ORDER BY id") == [("Hello",), ("Django tips",)]
    project.model("Post").objects.filter(title="Hello").delete()
    project.migrate()
    author = project.model("Author").objects.get()
    assert author.post.title == "Django tips"
    with pytest.raises(IntegrityError):
        project.model("Post").objects.create(title="another", author=author)
    project.write(FIRST)
    project.make()
    project.migrate()
    author = project.model("Author").objects.get()
    author.posts.create(title="another")
    assert author.posts.count() == 2


def test_options_of_a_constraint_come_and_go(project: Project) -> None:
    begun(project)
    more = "on_update=models.CASCADE, deferrable=models.Deferrable.DEFERRED, constraint_name='written_by'"
    project.write(FIRST.replace('related_name="posts"', f'related_name="posts", {more}'))
    (written,) = project.make()
    for option in (
        "on_update=models.CASCADE",
        "deferrable=models.Deferrable['DEFERRED']",
        "constraint_name='written_by'",
    ):
        assert option in written.text
    project.migrate()
    author, posts = project.model("Author").objects, project.model("Post").objects
    author.update(id=7)
    assert list(posts.values_list("author_id", flat=True)) == [7, 7]
    with atomic():
        posts.create(title="early", author_id=8)
        author.create(pk=8, name="Late")
    assert not commands.check_migrations()
    project.migrate("blog", "0001")
    with pytest.raises(IntegrityError):
        author.filter(id=7).update(id=9)
    assert posts.filter(author_id=7).count() == 2
