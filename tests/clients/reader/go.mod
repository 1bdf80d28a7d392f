module scopegate.example/reader

go 1.21
