import zlib

from tools.check_reference import missing_names, public_names

HEAD = b"# Sphinx inventory version 2\n# Project: x\n# Version: 0\n# Compressed\n"


def inventory(path, names):
    lines = "".join(f"{name} py:function 1 page/#$ -\n" for name in names)
    path.write_bytes(HEAD + zlib.compress(lines.encode()))
    return path


def test_a_name_without_a_place_is_told(tmp_path):
    names = list(public_names())
    assert {"polytask.losses.mse", "polytask.data.splits.TimeSplit"} <= {*names}
    assert missing_names(inventory(tmp_path / "objects.inv", names)) == []
    assert missing_names(inventory(tmp_path / "objects.inv", names[1:])) == names[:1]


def test_a_name_of_a_deeper_room_may_stand_in_the_room_above(tmp_path):
    names = [name.replace("polytask.networks.encoders.MLP", "polytask.networks.MLP") for name in public_names()]
    assert missing_names(inventory(tmp_path / "objects.inv", names)) == []
