"""A lesson about relations, followed to the letter: its files and its lines in the shell give the output it prints.

The text of the lesson is data here; none of it is changed for Crowsfoot but, in one round, the import of ``models``.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import run

ONE_TO_MANY = """\
# blog/models.py
from django.db import models

class Author(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name

class Post(models.Model):
    title = models.CharField(max_length=200)
    author = models.ForeignKey(
        Author,
        on_delete=models.CASCADE,
        related_name="posts",
    )

    def __str__(self):
        return self.title
"""
WALK = """\
# in the Django shell:  python manage.py shell
asha = Author.objects.create(name="Asha")
Post.objects.create(title="Hello", author=asha)
Post.objects.create(title="Django tips", author=asha)

p = Post.objects.first()
p.author.name           # forwards: post -> author
asha.posts.all()        # backwards: author -> all her posts
asha.posts.count()      # how many posts Asha has
"""
MANY_TO_MANY = """\
class Tag(models.Model):
    name = models.CharField(max_length=50)

class Post(models.Model):
    title = models.CharField(max_length=200)
    tags = models.ManyToManyField(Tag, related_name="posts")
"""
ATTACH = """\
# using it:
post.tags.add(python_tag, web_tag)   # attach two tags
post.tags.all()                      # this post's tags
python_tag.posts.all()               # every post with this tag
"""
ONE_TO_ONE = """\
from django.contrib.auth.models import User

class Profile(models.Model):
    user = models.OneToOneField(User, on_delete=models.CASCADE)
    bio = models.TextField(blank=True)
"""
BOTH_WAYS = """\
# each user has one profile, each profile one user
user.profile.bio        # forwards
profile.user.username   # backwards
"""
HOMEWORK = """\
from django.db import models

class Author(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name

class Book(models.Model):
    title = models.CharField(max_length=200)
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="books")

    def __str__(self):
        return self.title

class Genre(models.Model):
    name = models.CharField(max_length=50)
    books = models.ManyToManyField(Book, related_name="genres")

    def __str__(self):
        return self.name
"""


class Learner:
    """Types the lesson's commands into one folder."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = environment

    def command(self, *words: str, stdin: str = "") -> str:
        """What a command prints; it ends well and says nothing on stderr."""
        done = run(self.folder, *words, stdin=stdin, **self.environment)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def manage(self, *words: str) -> str:
        return self.command("manage.py", *words)

    def shell(self, lines: str) -> str:
        return self.command("manage.py", "shell", stdin=lines)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def migrate(self) -> None:
        self.manage("makemigrations")
        self.manage("migrate")


@pytest.fixture(params=["sqlite", "postgresql"])
def learner(request: pytest.FixtureRequest, tmp_path: Path) -> Learner:
    """A new project with the app "blog"."""
    environment = {}
    if request.param == "postgresql":
        environment["DATABASE_URL"] = request.getfixturevalue("fresh_postgres_url")
    Learner(tmp_path).command("-m", "crowsfoot", "startproject", "mysite")
    learner = Learner(tmp_path / "mysite", **environment)
    learner.manage("startapp", "blog")
    return learner


@pytest.mark.parametrize("front_door", ["from django.db import models", "from crowsfoot import models"])
def test_one_to_many(learner: Learner, front_door: str) -> None:
    learner.write("blog/models.py", ONE_TO_MANY.replace("from django.db import models", front_door))
    written = learner.manage("makemigrations")
    assert "blog/migrations/0001_initial.py" in written
    assert "Author" in written
    assert "Post" in written
    learner.manage("migrate")
    printed = learner.shell(WALK)
    created, output = printed.splitlines()[:2], printed.splitlines()[2:]
    assert created == ["<Post: Hello>", "<Post: Django tips>"]
    assert output == ["'Asha'", "<QuerySet [<Post: Hello>, <Post: Django tips>]>", "2"]


def test_many_to_many(learner: Learner) -> None:
    learner.write("blog/models.py", "from django.db import models\n\n" + MANY_TO_MANY)
    learner.migrate()
    beginning = (
        'post = Post.objects.create(title="Hello")\n'
        'python_tag, web_tag = Tag.objects.create(name="python"), Tag.objects.create(name="web")\n'
    )
    assert learner.shell(beginning + ATTACH).splitlines() == [
        "<QuerySet [<Tag: Tag object (1)>, <Tag: Tag object (2)>]>",
        "<QuerySet [<Post: Post object (1)>]>",
    ]


def test_one_to_one(learner: Learner) -> None:
    learner.write("blog/models.py", "from django.db import models\n" + ONE_TO_ONE)
    learner.migrate()
    beginning = (
        'user = User.objects.create_user("asha", password="correct horse")\n'
        'profile = Profile.objects.create(user=user, bio="Writes.")\n'
        "user = User.objects.get()\n"
    )
    assert learner.shell(beginning + BOTH_WAYS).splitlines() == ["'Writes.'", "'asha'"]
    assert learner.shell("Profile.objects.filter(user__username='asha').count()\nUser.objects.all().delete()") == (
        "1\n(2, {'blog.Profile': 1, 'auth.User': 1})\n"
    )


def test_all_three_in_one_file(learner: Learner) -> None:
    """As in any Python module, the second ``Post`` of the lesson is the one that stands."""
    learner.write("blog/models.py", ONE_TO_MANY + "\n" + MANY_TO_MANY + "\n" + ONE_TO_ONE)
    learner.migrate()
    printed = learner.shell("Post.objects.create(title='Hello').tags.count()\nAuthor.objects.create(name='Asha')\n")
    assert printed == "0\n<Author: Asha>\n"
    checked = learner.manage("check", "--database", "default")
    assert checked.endswith("has all their tables, columns and foreign keys.\n")


def test_the_practice_a_project_that_grows(learner: Learner) -> None:
    """A link between models that have rows: tags are added to posts that are there already."""
    learner.write("blog/models.py", ONE_TO_MANY)
    learner.migrate()
    learner.shell(WALK)
    grown = ONE_TO_MANY.replace(
        "class Author", "class Tag(models.Model):\n    name = models.CharField(max_length=50)\n\nclass Author"
    )
    tags = '    tags = models.ManyToManyField(Tag, related_name="posts")\n\n'
    last = "    def __str__(self):\n        return self.title"
    grown = grown.replace(last, tags + last)
    learner.write("blog/models.py", grown)
    assert "blog/migrations/0002_" in learner.manage("makemigrations")
    assert "[ ] 0002_" in learner.manage("showmigrations", "blog")
    learner.manage("migrate")
    assert "[ ]" not in learner.manage("showmigrations")
    printed = learner.shell(
        "post = Post.objects.get(title='Hello')\n"
        "python_tag, web_tag = [Tag.objects.create(name=name) for name in ('python', 'web')]\n"
        + ATTACH
        + "post.author\n[tag.name for tag in post.tags.order_by('name')]\n"
    )
    assert printed.splitlines()[1:] == ["<QuerySet [<Post: Hello>]>", "<Author: Asha>", "['python', 'web']"]


def test_the_homework_a_library(learner: Learner) -> None:
    learner.manage("startapp", "library")
    learner.write("library/models.py", HOMEWORK)
    learner.migrate()
    printed = learner.shell(
        "butler = Author.objects.create(name='Octavia Butler')\n"
        "kindred, dawn = [Book.objects.create(title=title, author=butler) for title in ('Kindred', 'Dawn')]\n"
        "fiction = Genre.objects.create(name='Fiction')\n"
        "fiction.books.set([kindred, dawn])\n"
        "kindred.genres.all()\n"
        "fiction.books.filter(author__name__startswith='Octavia').count()\n"
        "[book.author.name for book in butler.books.order_by('title')]\n"
    )
    assert printed.splitlines() == ["<QuerySet [<Genre: Fiction>]>", "2", "['Octavia Butler', 'Octavia Butler']"]
    refused = run(learner.folder, "manage.py", "shell", "-c", "Author.objects.get().delete()", **learner.environment)
    assert refused.returncode == 1
    assert "ProtectedError" in refused.stderr
    assert "Kindred" in refused.stderr or "Book" in refused.stderr
    checked = learner.manage("check", "--database", "default")
    assert checked.endswith("has all their tables, columns and foreign keys.\n")
    assert "Nothing" in learner.manage("makemigrations", "--check")


def test_a_query_before_migrate_names_the_command(learner: Learner) -> None:
    learner.write("blog/models.py", ONE_TO_MANY)
    done = run(learner.folder, "manage.py", "shell", stdin=WALK, **learner.environment)
    assert done.returncode == 1
    assert "python manage.py makemigrations" in done.stderr
    assert "python manage.py migrate" in done.stderr


def test_no_django_is_needed(learner: Learner) -> None:
    """The lesson's imports are answered by Crowsfoot even where Django is installed."""
    learner.write("blog/models.py", ONE_TO_MANY)
    printed = learner.shell("import django.db.models\ndjango.db.models.Model is models.Model\n")
    assert printed == "True\n"
