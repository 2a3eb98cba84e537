from django.urls import path

from django_cart import views

urlpatterns = [
    path("", views.show),
    path("cart/<str:item>", views.put),
    path("login/<str:name>", views.log_in),
    path("logout", views.log_out),
]
