from crowsfoot import migrations


class Migration(migrations.Migration):
    """Nothing: 0001 makes the tables as they are since Django 3.1. It stands for all that Django has in between, so
    that migrations which depend on one of them find it, and a database made here is complete to Django.
    """

    dependencies = [("auth", "0001_initial")]

    replaces = [
        ("auth", "0002_alter_permission_name_max_length"),
        ("auth", "0003_alter_user_email_max_length"),
        ("auth", "0004_alter_user_username_opts"),
        ("auth", "0005_alter_user_last_login_null"),
        ("auth", "0006_require_contenttypes_0002"),
        ("auth", "0007_alter_validators_add_error_messages"),
        ("auth", "0008_alter_user_username_max_length"),
        ("auth", "0009_alter_user_last_name_max_length"),
        ("auth", "0010_alter_group_name_max_length"),
        ("auth", "0011_update_proxy_permissions"),
    ]
