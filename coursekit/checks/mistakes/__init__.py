"""Known mistakes in lessons' exercises, a module for each lesson that has long lists of them."""
