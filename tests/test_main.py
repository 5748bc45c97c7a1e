import pytest

from fer_lib.__main__ import main


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["prepare", "--dataset", "fer2013"], "error: DATASET=fer2013 needs DATA_ROOT"),
        (["prepare", "--dataset", "fer2013", "--data-root", "/nowhere"], "error: DATA_ROOT /nowhere is no folder"),
        (["prepare", "--dataset", "mnist"], "error: DATASET 'mnist' is unknown"),
        (["prepare", "--profile", "huge"], "error: PROFILE 'huge' is unknown"),
        (["prepare", "--seed", "x"], "error: SEED 'x' is no whole number"),
        (
            ["notebook", "notebooks/00_start_here.ipynb", "--profile", "huge"],
            "error: PROFILE 'huge' is unknown",
        ),
        (["train", "vgg", "--profile", "smoke"], "error: experiment 'vgg' is unknown"),
    ],
)
def test_bad_settings_end_in_one_sentence_without_a_traceback(words, sentence, tmp_path, capsys):
    assert main([*words, "--runs", str(tmp_path)]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert sentence in error


def test_prepare_prints_the_pictures_of_each_split(tmp_path, capsys):
    assert main(["prepare", "--profile", "smoke", "--runs", str(tmp_path)]) == 0
    assert "synthetic: 500 train, 100 validation, 100 test pictures." in capsys.readouterr().out


def test_train_fills_the_store_and_finds_it_full(tmp_path, capsys):
    words = ["train", "six_layer/base", "--profile", "smoke", "--runs", str(tmp_path)]
    assert main(words) == 0
    first = capsys.readouterr().out
    assert main(words) == 0
    assert capsys.readouterr().out == first
    assert len(list((tmp_path / "store").glob("*/experiment.json"))) == 1
