"""The answers of IMDBench as JSON, from whatever has the attributes: what adapters differ in is how they get it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def full_name(person: Any) -> str:
    if person.middle_name:
        return f"{person.first_name} {person.middle_name} {person.last_name}"
    return f"{person.first_name} {person.last_name}"


def people(persons: Iterable[Any]) -> list[dict[str, Any]]:
    return [{"id": person.id, "full_name": full_name(person), "image": person.image} for person in persons]


def mean(rating: Any) -> float | None:
    """A mean as SQL gives it, of the same digits for all."""
    return None if rating is None else round(float(rating), 4)


def movie_view(
    movie: Any, rating: Any, directors: Iterable[Any], cast: Iterable[Any], reviews: Iterable[tuple[Any, Any]]
) -> str:
    """A movie, the mean of its ratings, persons in their order, and reviews with their authors, the latest first."""
    return json.dumps(
        {
            "id": movie.id,
            "image": movie.image,
            "title": movie.title,
            "year": movie.year,
            "description": movie.description,
            "avg_rating": mean(rating),
            "directors": people(directors),
            "cast": people(cast),
            "reviews": [
                {
                    "id": review.id,
                    "body": review.body,
                    "rating": review.rating,
                    "author": {"id": author.id, "name": author.name, "image": author.image},
                }
                for review, author in reviews
            ],
        }
    )


def _credits(movies: Iterable[tuple[Any, Any]]) -> list[dict[str, Any]]:
    return [
        {"id": movie.id, "image": movie.image, "title": movie.title, "year": movie.year, "avg_rating": mean(rating)}
        for movie, rating in movies
    ]


def person_view(person: Any, acted_in: Iterable[tuple[Any, Any]], directed: Iterable[tuple[Any, Any]]) -> str:
    """A person, and movies with the means of their ratings, by year and title."""
    return json.dumps(
        {
            "id": person.id,
            "full_name": full_name(person),
            "image": person.image,
            "bio": person.bio,
            "acted_in": _credits(acted_in),
            "directed": _credits(directed),
        }
    )


def user_view(user: Any, reviews: Iterable[tuple[Any, Any, Any]]) -> str:
    """A user and the latest ten reviews, each with its movie and the mean of that movie's ratings."""
    return json.dumps(
        {
            "id": user.id,
            "name": user.name,
            "image": user.image,
            "latest_reviews": [
                {
                    "id": review.id,
                    "body": review.body,
                    "rating": review.rating,
                    "movie": {
                        "id": movie.id,
                        "image": movie.image,
                        "title": movie.title,
                        "avg_rating": mean(rating),
                    },
                }
                for review, movie, rating in reviews
            ],
        }
    )


def updated_view(movie: Any) -> str:
    return json.dumps({"id": movie.id, "title": movie.title})


def new_user_view(user: Any) -> str:
    return json.dumps({"id": user.id, "name": user.name, "image": user.image})


def new_movie_view(movie: Any, directors: Iterable[Any], cast: Iterable[Any]) -> str:
    return json.dumps(
        {
            "id": movie.id,
            "image": movie.image,
            "title": movie.title,
            "year": movie.year,
            "description": movie.description,
            "directors": people(directors),
            "cast": people(cast),
        }
    )


def new_user(number: int) -> dict[str, Any]:
    """The values of the user that is made as number ``number``."""
    return {"name": f"new {number}", "image": f"new{number}.jpeg"}


def new_movie(number: int) -> dict[str, Any]:
    return {"title": f"new {number}", "image": f"new{number}.jpeg", "year": 2000 + number, "description": "plot"}


def new_people(number: int) -> list[dict[str, Any]]:
    """The values of a director and of two of the cast."""
    return [
        {"first_name": f"new {name}", "middle_name": "", "last_name": f"n{number}", "image": f"{name}.jpeg", "bio": ""}
        for name in ("Alice", "Billie", "Cameron")
    ]
