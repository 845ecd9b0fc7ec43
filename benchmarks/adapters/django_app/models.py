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
