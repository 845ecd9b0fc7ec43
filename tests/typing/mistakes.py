# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Mistakes that type checkers find. Where one is found no longer, its ``ignore`` is without use, which is an error."""

from __future__ import annotations

from blog import Author, Comment, Post, Tag, User

from crowsfoot import models


def of_values(post: Post, user: User) -> None:
    post.title = 3  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    post.title = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    post.author = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    post.author = user  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    post.editor.name  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]  # noqa: B018
    post.subtitle.upper()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    post.id = "3"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


def of_names(post: Post, author: Author) -> None:
    print(post.titel)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    print(post.author.nmae)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    print(author.post_set)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    print(Post.author.nmae)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    print(Post.objects.fliter())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]


def of_conditions(post: Post) -> None:
    Post.objects.filter(Post.author.name == 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    print(Post.title < 3)  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    Post.title.in_([1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Post.likes.startswith("x")  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    Post.objects.filter(post.title == "x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Post.objects.all().exclude("title")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def of_results() -> None:
    Post.objects.first().title  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]  # noqa: B018
    for post in Post.objects:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        print(post)  # pyright: ignore[reportUnknownArgumentType]
    tag: Tag = Post.objects.get()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(tag)


def of_relations(post: Post, author: Author, tag: Tag, comment: Comment) -> None:
    author.posts.add(tag)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    post.tags.add(comment)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    post.tags.set([author])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    author.posts = [post]  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


def of_declarations() -> None:
    models.ForeignKey(Author)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    models.ForeignKey(int, models.CASCADE)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType, reportCallIssue]
    models.ForeignKey(Author, "CASCADE")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    models.ForeignKey(Author, models.CASCADE, relatedname="x")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    models.ManyToManyField(Tag, on_delete=models.CASCADE)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
