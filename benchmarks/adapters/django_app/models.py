"""Django's models of the tables in `benchmarks.data`."""

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=100)
    email = models.CharField(max_length=100)
    born = models.IntegerField()


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Post(models.Model):
    title = models.CharField(max_length=200)
    body = models.TextField()
    rank = models.IntegerField()
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="posts")
    tags = models.ManyToManyField(Tag, related_name="posts")


class Comment(models.Model):
    text = models.CharField(max_length=200)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments")


class Entry(models.Model):
    name = models.CharField(max_length=100)
    place = models.CharField(max_length=100)
    level = models.IntegerField()
    weight = models.FloatField()


class Shelf(models.Model):
    name = models.CharField(max_length=100)


class Book(models.Model):
    title = models.CharField(max_length=100)
    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE, related_name="books")


class Page(models.Model):
    number = models.IntegerField()
    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="pages")


class Reading(models.Model):
    name = models.CharField(max_length=100)
    place = models.CharField(max_length=100)
    note = models.TextField()
    level = models.IntegerField()
    weight = models.FloatField()
    height = models.FloatField()
    count = models.BigIntegerField()


class Journal(models.Model):
    timestamp = models.DateTimeField(auto_now_add=True)
    level = models.SmallIntegerField(db_index=True)
    text = models.CharField(max_length=255, db_index=True)


class Person(models.Model):
    first_name = models.CharField(max_length=200)
    middle_name = models.CharField(max_length=200, blank=True)
    last_name = models.CharField(max_length=200)
    image = models.CharField(max_length=200)
    bio = models.TextField(blank=True)


class User(models.Model):
    name = models.CharField(max_length=200)
    image = models.CharField(max_length=200)


class Movie(models.Model):
    title = models.CharField(max_length=200)
    image = models.CharField(max_length=200)
    year = models.IntegerField()
    description = models.TextField()
    directors = models.ManyToManyField(Person, through="Director", related_name="directed")
    cast = models.ManyToManyField(Person, through="Cast", related_name="acted_in")


class Director(models.Model):
    list_order = models.IntegerField(null=True)
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="directors_rel")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="directed_rel")


class Cast(models.Model):
    list_order = models.IntegerField(null=True)
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="cast_rel")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="acted_in_rel")


class Review(models.Model):
    body = models.TextField()
    rating = models.IntegerField()
    creation_time = models.DateTimeField()
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="reviews")
    author = models.ForeignKey(User, on_delete=models.CASCADE, related_name="reviews")
