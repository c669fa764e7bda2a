"""The first workload: read a CSV, fit a model. Its argument is a folder to write to."""

import os
import sys

import pandas
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

path = os.path.join(sys.argv[1], "data.csv")
with open(path, "w") as stream:
    stream.write("a,b,label\n")
    for number in range(200):
        stream.write(f"{number % 7},{number % 11},{int(number % 7 > 3)}\n")
table = pandas.read_csv(path)
train, test = train_test_split(table, random_state=0)
model = LogisticRegression().fit(train[["a", "b"]], train["label"])
assert model.score(test[["a", "b"]], test["label"]) > 0.9
print("model ok")
