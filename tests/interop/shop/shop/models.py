from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=100)
    cents = models.PositiveIntegerField()
    picture = models.FileField(upload_to="products", blank=True)

    def __str__(self):
        return self.name
