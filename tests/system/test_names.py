from ae_keras.system.names import closest, suggest

NAMES = ("jpeg", "webp")


def test_near_names_are_suggested():
    assert suggest("jpge", NAMES) == closest("jpge", NAMES) == "Did you mean 'jpeg'?"


def test_where_none_is_near_there_is_nothing_to_suggest_but_the_list():
    assert suggest("quantum", NAMES) == ""
    assert closest("quantum", NAMES) == "Known: jpeg, webp."
