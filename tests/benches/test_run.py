from pathlib import Path

from benches.run import prepare, run


def test_a_run_of_a_generated_fleet_ends_with_every_pod_moved(tmp_path: Path) -> None:
    prepare(200, tmp_path)
    ran = run(200, 40, tmp_path)
    assert (ran.ending, ran.moves) == ("done", 200)
    assert ran.writes >= 200, "every pod has a name, or is deleted"
    assert 0 < ran.events < ran.moves, "not an event a pod"
    assert ran.unrenewed_s <= ran.seconds + 1
