"""Plans: the price of a token, for calls that agree in everything a price depends on.

plan.py        one plan
planned.py     plans compiled from the built-in prices
kept_plans.py  plans in a file, for the next program
"""
