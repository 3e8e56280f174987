"""What a call cost.

pricer.py         prices calls, and those that were stored before the prices were loaded
costs.py          applies a price to a call, and what a cache would have saved
prices_loader.py  loads the prices beside the recorder
"""
