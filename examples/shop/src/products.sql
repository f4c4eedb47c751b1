CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, cents INTEGER NOT NULL, pieces INTEGER NOT NULL);
INSERT INTO products (name, cents, pieces) VALUES
  ('Teapot', 4900, 3), ('Cup', 1200, 40), ('Saucer', 700, 38), ('Spoon', 350, 120);
