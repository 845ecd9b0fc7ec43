from crowsfoot import migrations


class Migration(migrations.Migration):
    """Nothing: 0001 makes the table as it is since Django 1.8. The name is here for migrations that depend on it."""

    dependencies = [("contenttypes", "0001_initial")]
