import pytest
import wtforms
from werkzeug.datastructures import MultiDict

from forms import loader
from forms.builder import form_class
from rules.values import read_yaml
from tests.form_fixtures import FIXTURES, TODAY, fill, form_named, listed


def test_a_real_wtforms_class_cached_by_definition_fields_and_language() -> None:
    definition = form_named("choices")
    again = loader.load(read_yaml(FIXTURES / "choices.yaml"))
    made = form_class(definition)
    assert issubclass(made, wtforms.Form) and made is form_class(again)
    assert made is not form_class(definition, lang="en")
    assert form_class(definition, ("night",)) is form_class(again, ("night",)) is not made


def test_fields_stand_in_the_order_of_the_form_whatever_the_order_of_the_keys() -> None:
    form = form_class(form_named("choices"), ("night", "species"))()
    assert [field.name for field in form] == ["species", "night"]
    with pytest.raises(KeyError, match="nobody"):
        form_class(form_named("choices"), ("nobody",))


def test_labels_and_hints_in_the_language_of_the_page() -> None:
    form = form_class(form_named("choices"), lang="en")()
    assert form["species"].label.text == "Species"
    assert [(c.label, c.hint) for c in form["species"].choices()] == [("Dog", "puppies too"), ("Cat", "")]
    assert form["species"].definition.type == "choice"
    assert fill("dates", {}, lang="en").errors["birth"] == [
        "Date of birth is required, for example year 1958, month 3, day 9"
    ]


def test_a_form_works_on_its_own_with_a_multidict() -> None:
    data = MultiDict([("species", "dog"), ("tools", "spade"), ("tools", "drill"), ("night", "x")])
    form = form_class(form_named("choices"), ("species", "tools", "night"))(data, today=TODAY)
    assert not form.validate()
    assert form.data == {"species": "dog", "tools": ["spade", "drill"], "night": None}
    assert list(form.errors) == ["night"]
    with pytest.raises(TypeError, match="today"):
        form_class(form_named("choices"))(data).validate()


def test_before_validation_there_are_no_errors_and_no_data() -> None:
    form = form_class(form_named("choices"))(listed({"species": "fish"}))
    assert form.errors == {} and form["species"].data is None
    assert form["species"].raw == "fish" and form["species"].visible and form["species"].required
    assert not form_class(form_named("files"))()["extra"].required


def test_everything_typed_is_kept_as_typed() -> None:
    form = fill("texts", {"name": " 王\x00\ud800 ", "chip": "１２"}).form
    assert form["name"].raw == " 王\x00\ud800 "
    assert form["name"]._value() == " 王? "  # what a page can carry
    assert form["chip"]._value() == "１２"
    form = fill("choices", {"tools": ["drill", "fish"], "species": ["dog", "cat"]}).form
    assert form["tools"].raw == form["tools"].values == ["drill", "fish"]
    assert [(c.value, c.id, c.checked) for c in form["tools"].choices()] == [
        ("spade", "tools", False),
        ("drill", "tools-2", True),
    ]
    form = fill("address", {"home-township": "WQ", "home-detail": "x"}).form
    assert form["home"].raw == {"township": "WQ", "detail": "x"}
    assert [c.value for c in form["home"].choices("township") if c.checked] == ["WQ"]
    entry = form["home"].inputs["detail"]
    assert (entry.name, entry.id, entry.value) == ("home-detail", "home-detail", "x")


def test_a_whole_date_returns_to_the_first_box() -> None:
    field = fill("dates", {"birth": "108/2/29"}).form["birth"]
    assert [field.inputs[part].value for part in ("year", "month", "day")] == ["108/2/29", "", ""]


def test_blank_rows_of_a_table() -> None:
    table = form_class(form_named("table"))()["parcels"]
    assert [[cell.name for cell in row] for row in table.rows] == [
        ["parcels-0-section", "parcels-0-land_no", "parcels-0-bought_on", "parcels-0-area"]
    ]
    filled = fill("table", {"parcels-4-section": "x"}).form["parcels"]
    filled.add_row()
    assert [row[0].name for row in filled.rows] == ["parcels-4-section", "parcels-5-section"]
    assert filled.rows[0][0].id == "parcels-4-section"
    assert len(form_class(form_named("table"))()["sheds"].rows) == 2
