import sys
from modulefinder import ModuleFinder

import nbformat

from fer_lib.dependencies import ROOT, notebook_modules, rules


def test_the_modules_of_a_notebook_are_those_that_pythons_own_finder_sees(tmp_path):
    notebook = ROOT / "notebooks" / "04_cnn_variants.ipynb"
    cells = nbformat.read(notebook, as_version=4).cells
    script = tmp_path / "script.py"
    script.write_text("\n".join(cell.source for cell in cells if cell.cell_type == "code"))
    finder = ModuleFinder([str(ROOT)], excludes=[name for name in sys.stdlib_module_names if name != "__main__"])
    finder.run_script(str(script))
    found = {m.__file__ for m in finder.modules.values() if m.__file__ and str(ROOT / "fer_lib") in m.__file__}
    assert {str(path) for path in notebook_modules(notebook)} == found


def test_a_rule_names_the_executed_copy_and_its_modules():
    lines = rules("runs/x-y").splitlines()
    line = next(line for line in lines if line.startswith("runs/x-y/03_svm_pca_baseline.ipynb: "))
    assert "fer_lib/models/svm.py" in line
    assert "fer_lib/training/fit.py" not in line
