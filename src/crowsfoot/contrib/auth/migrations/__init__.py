"""The app's migrations, under the names that Django gives its own, so that either finds what the other has done."""
