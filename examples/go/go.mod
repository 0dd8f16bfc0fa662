module teal.example/shop

go 1.19
