# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers make of models and queries, without a plugin: the lesson's blog, used as people use it.

Nothing here is run. mypy and pyright check every ``assert_type``, and that each line marked ``ignore`` is wrong.
"""

from __future__ import annotations

import uuid
from typing import Any, assert_type

import crowsfoot
from crowsfoot import models, transaction
from crowsfoot.models.typed import FieldPath


class User(models.Model):
    username = models.CharField(max_length=150, unique=True)
    profile: models.RelatedOne[Profile]


class Author(models.Model):
    name = models.CharField(max_length=100)
    posts: models.Related[Post]
    edited: models.Related[Post]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    name = models.CharField(max_length=50)
    posts: models.Related[Post]


class Post(models.Model):
    title = models.CharField(max_length=200)
    subtitle = models.CharField(max_length=200, null=True)
    likes = models.IntegerField(default=0)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")
    author_id: int
    editor = models.ForeignKey(Author, models.SET_NULL, null=True, blank=True, related_name="edited")
    tags = models.ManyToManyField(Tag, related_name="posts", blank=True)
    comment_set: models.Related[Comment]

    class Meta:
        ordering = ["title"]
        get_latest_by = "likes"

    def __str__(self) -> str:
        return self.title


class Profile(models.Model):
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="profile")
    backup = models.OneToOneField(User, models.SET_NULL, null=True, related_name="+")
    bio = models.TextField(blank=True)


class CommentQuerySet(models.QuerySet["Comment"]):
    def spam(self) -> CommentQuerySet:
        return self.filter(text__icontains="buy")


class CommentManager(models.Manager["Comment"]):
    def of_guests(self) -> models.QuerySet[Comment]:
        return self.filter(author=None)


class Comment(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    text = models.TextField()
    post = models.ForeignKey("Post", on_delete=models.CASCADE)
    author: models.ForeignKey[Author | None] = models.ForeignKey("Author", models.SET_NULL, null=True)
    answered: models.ForeignKey[Comment] = models.ForeignKey("self", on_delete=models.CASCADE)
    tags: models.ManyToManyField[Tag] = models.ManyToManyField("Tag")

    objects = CommentManager()
    others = models.Manager()
    spam = CommentQuerySet.as_manager()


def setting_up() -> None:
    database = crowsfoot.connect("sqlite:///blog.db")
    crowsfoot.create_tables(Author, Post)
    assert_type(database.alias, str)


def instances(post: Post, comment: Comment, profile: Profile) -> None:
    assert_type(post.title, str)
    assert_type(post.subtitle, str | None)
    assert_type(post.author, Author)
    assert_type(post.author.name, str)
    assert_type(post.author_id, int)
    assert_type(post.editor, Author | None)
    assert_type(profile.user, User)
    assert_type(profile.user.username, str)
    assert_type(profile.backup, User | None)
    assert_type(comment.post, Any)
    assert_type(comment.author, Author | None)
    assert_type(comment.answered, Comment)
    assert_type(comment.answered.answered.text, str)
    assert_type(post.pk, Any)
    assert_type(comment.id, uuid.UUID)
    number: int = post.id
    assert_type(post.id, int | Any)
    post.id = None
    post.title = "Hello"
    post.likes = models.F("likes") + number
    post.author = Author(name="Asha")
    post.editor = None
    comment.author = post.author
    assert_type(post.save(update_fields=["title"]), None)
    assert_type(post.delete(), tuple[int, dict[str, int]])


def ways_back(author: Author, tag: Tag, user: User, post: Post) -> None:
    assert_type(author.posts, models.RelatedManager[Post])
    assert_type(author.posts.all(), models.QuerySet[Post])
    assert_type(author.posts.filter(title="Hello").first(), Post | None)
    assert_type([p.title for p in author.posts.filter(Post.title.startswith("A"))], list[str])
    assert_type(author.posts.create(title="Hello"), Post)
    assert_type(author.posts.get_or_create(title="Hello"), tuple[Post, bool])
    assert_type(author.posts.count(), int)
    assert_type(author.posts.add(post, bulk=False), None)
    assert_type(tag.posts.get(), Post)
    assert_type(post.comment_set.last(), Comment | None)
    assert_type(user.profile, Profile)
    assert_type(user.profile.bio, str)


def many_to_many(post: Post, tag: Tag, comment: Comment) -> None:
    assert_type(post.tags, models.ManyRelatedManager[Tag])
    assert_type(comment.tags, models.ManyRelatedManager[Tag])
    assert_type(post.tags.all(), models.QuerySet[Tag])
    assert_type(post.tags.add(tag, 3), None)
    assert_type(post.tags.remove(tag), None)
    assert_type(post.tags.set([tag]), None)
    assert_type(post.tags.set(Tag.objects.filter(name="web")), None)
    assert_type(post.tags.clear(), None)
    assert_type(post.tags.create(name="web"), Tag)
    assert_type(post.tags.exists(), bool)
    assert_type([t.name for t in post.tags.order_by("name")], list[str])
    assert_type(Post.tags.through, Any)


def paths() -> None:
    assert_type(Post.title, FieldPath[str])
    assert_type(Post.subtitle, FieldPath[str | None])
    assert_type(Post.id, FieldPath[int])
    assert_type(Comment.id, FieldPath[uuid.UUID])
    assert_type(Post.author.name, FieldPath[str])
    assert_type(Post.editor.name, FieldPath[str])
    assert_type(Profile.user.username, FieldPath[str])
    assert_type(Post.tags.name, FieldPath[str])
    assert_type(Author.posts.title, FieldPath[str])
    assert_type(User.profile.bio, FieldPath[str])
    assert_type(Comment.author.name, FieldPath[str])
    assert_type(Post.author.name == "x", models.Q)
    assert_type(Post.title != Post.author.name, models.Q)
    assert_type((Post.likes > 3) & ~Post.title.contains("x") | Post.editor.is_null(), models.Q)
    assert_type(Post.likes.between(1, 3), models.Q)
    assert_type(Post.author.name.desc(), models.OrderBy)
    assert_type(
        Post.objects.filter(Post.author.name == "x", likes__gt=3).order_by(Post.author.name.desc()),
        models.QuerySet[Post],
    )


def places_of_paths(post: Post) -> None:
    """A path stands where the name of a field does."""
    posts = Post.objects.select_related(Post.author).prefetch_related(Post.tags, models.Prefetch(Post.author.posts))
    assert_type(posts, models.QuerySet[Post])
    assert_type(posts.only(Post.title).defer(Post.likes).distinct(Post.author), models.QuerySet[Post])
    assert_type(posts.annotate(n=models.Count(Post.tags), x=models.F(Post.author.name)), models.QuerySet[Post])
    assert_type(posts.values(Post.author.name), models.QuerySet[dict[str, Any]])
    assert_type(posts.values_list(Post.author.name, flat=True), models.QuerySet[str])
    assert_type(posts.values_list(Post.author.name, Post.likes), models.QuerySet[tuple[Any, ...]])
    assert_type(posts.in_bulk(["Hello"], field_name=Post.title), dict[Any, Post])
    assert_type(Post.objects.dates(Post.title, "year"), models.QuerySet[Any])
    assert_type(Post.objects.latest(Post.likes), Post)
    own = Post.objects.filter(Post.author == models.OuterRef(Author.id))
    assert_type(Author.objects.filter(models.Exists(own)), models.QuerySet[Author])
    assert_type(Post.objects.bulk_update([post], [Post.title]), int)
    post.save(update_fields=[Post.title])
    post.refresh_from_db(fields=[Post.title])


def of_managers(author: Author) -> None:
    assert_type(Post.objects, models.Manager[Post])
    assert_type(Post.objects.all(), models.QuerySet[Post])
    assert_type(Post.objects.get(id=1), Post)
    assert_type(Post.objects.create(title="Hello", author=author), Post)
    assert_type(Post.objects.get_or_create(title="Hello", defaults={"author": author}), tuple[Post, bool])
    assert_type(Post.objects.update_or_create(title="Hello", defaults={"likes": 1}), tuple[Post, bool])
    assert_type(Post.objects.bulk_create([Post(title="Hello", author=author)]), list[Post])
    assert_type(Post.objects.in_bulk([1, 2]), dict[Any, Post])
    assert_type(Post.objects.values("title"), models.QuerySet[dict[str, Any]])
    assert_type(Post.objects.values_list("title", "likes"), models.QuerySet[tuple[Any, ...]])
    assert_type(Post.objects.values_list("title", flat=True), models.QuerySet[Any])
    assert_type(Post.objects.values_list(Post.title, flat=True), models.QuerySet[str])
    assert_type(Post.objects.db_manager("other"), models.Manager[Post])
    assert_type(Comment.objects, CommentManager)
    assert_type(Comment.objects.of_guests(), models.QuerySet[Comment])
    assert_type(Comment.objects.get(), Comment)
    assert_type(Comment.others, models.Manager[Comment])
    assert_type(Comment.others.first(), Comment | None)


def of_querysets(posts: models.QuerySet[Post], comments: CommentQuerySet) -> None:
    assert_type(posts.filter(title="x").exclude(models.Q(likes=3) | models.Q(likes=4)), models.QuerySet[Post])
    assert_type(posts.annotate(n=models.Count("comment")).order_by("-n").distinct(), models.QuerySet[Post])
    assert_type(posts.filter(models.Exists(Comment.objects.filter(post=models.OuterRef("pk")))), models.QuerySet[Post])
    assert_type(posts.select_related("author").prefetch_related("tags").using("other"), models.QuerySet[Post])
    assert_type(posts.only("title").defer("likes").reverse().none(), models.QuerySet[Post])
    assert_type(posts.union(posts, all=True), models.QuerySet[Post])
    assert_type(posts | posts & posts, models.QuerySet[Post])
    assert_type(posts.first(), Post | None)
    assert_type(posts.last(), Post | None)
    assert_type(posts.earliest("likes"), Post)
    assert_type(posts.latest(), Post)
    assert_type(posts[0], Post)
    assert_type(posts[:5], models.QuerySet[Post])
    assert_type(posts.count(), int)
    assert_type(len(posts), int)
    assert_type(posts.exists(), bool)
    assert_type(posts.aggregate(models.Avg("likes")), dict[str, Any])
    assert_type(posts.update(likes=models.F("likes") + 1), int)
    assert_type(posts.delete(), tuple[int, dict[str, int]])
    assert_type(posts.values("title")[0]["title"], Any)
    assert_type(list(posts.values_list("id", "title")), list[tuple[Any, ...]])
    assert_type([title.upper() for title in posts.values_list(Post.title, flat=True)], list[str])
    assert_type(list(posts.iterator(chunk_size=100)), list[Post])
    assert_type(comments.filter(text="x").spam(), CommentQuerySet)
    for post in posts:
        assert_type(post, Post)
    with transaction.atomic():
        posts.update(likes=0)


async def asynchronously(post: Post, author: Author, tag: Tag) -> None:
    posts = Post.objects.filter(author=author)
    async for found in posts:
        assert_type(found, Post)
    async for found in Post.objects.aiterator():
        assert_type(found, Post)
    assert_type(await posts, list[Post])
    assert_type(await posts.aget(id=1), Post)
    assert_type(await posts.afirst(), Post | None)
    assert_type(await posts.alast(), Post | None)
    assert_type(await posts.aearliest("likes"), Post)
    assert_type(await posts.acount(), int)
    assert_type(await posts.aexists(), bool)
    assert_type(await posts.aupdate(likes=0), int)
    assert_type(await posts.adelete(), tuple[int, dict[str, int]])
    assert_type(await posts.aaggregate(n=models.Count("pk")), dict[str, Any])
    assert_type(await Post.objects.aget(id=1), Post)
    assert_type(await Post.objects.acreate(title="Hello", author=author), Post)
    assert_type(await Post.objects.aget_or_create(title="Hello"), tuple[Post, bool])
    assert_type(await Post.objects.aupdate_or_create(title="Hello"), tuple[Post, bool])
    assert_type(await Post.objects.ain_bulk(), dict[Any, Post])
    assert_type(await author.posts.acreate(title="Hello"), Post)
    assert_type(await author.posts.afirst(), Post | None)
    assert_type(await post.tags.aadd(tag), None)
    assert_type(await post.tags.aset([tag]), None)
    assert_type(await post.asave(), None)
    assert_type(await post.arefresh_from_db(), None)
    async with transaction.atomic():
        await post.adelete()


@transaction.atomic
def in_a_transaction(post: Post) -> int:
    return post.likes


@transaction.atomic(durable=True)
async def in_a_durable_transaction(post: Post) -> int:
    return post.likes


def decorated(post: Post) -> None:
    assert_type(in_a_transaction(post), int)
