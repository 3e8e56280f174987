# Lint, then test.
default: lint test

# What an editor should have said already.
lint:
    ruff check .
    ruff format --check .
    mypy
    lint-imports

# The tests; arguments go to pytest.
test *arguments:
    pytest {{ arguments }}

# The tests, and which lines they never reach.
coverage:
    coverage run -m pytest
    coverage combine
    coverage report

# Format, and fix what can be fixed without thought.
fix:
    ruff check --fix .
    ruff format .

# The dashboard with example calls.
demo *arguments:
    miharu demo {{ arguments }}

# Everything, from a fresh environment.
all *arguments:
    scripts/test {{ arguments }}
