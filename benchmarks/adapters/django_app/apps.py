from django.apps import AppConfig


class Bench(AppConfig):
    name = "benchmarks.adapters.django_app"
    label = "bench"
