"""The fake chip keeps the habits of the real one that a driver can trip over."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def api(hailo_platform, board):
    import hailo_platform as package
    import hailo_platform.pyhailort.pyhailort

    return package


@pytest.fixture
def device(api):
    parameters = api.VDevice.create_params()
    parameters.scheduling_algorithm = api.HailoSchedulingAlgorithm.ROUND_ROBIN
    made = api.VDevice(parameters)
    yield made
    made.release()


@pytest.fixture
def model(device, hailo_platform):
    return device.create_infer_model(str(hailo_platform.models / "yolov8s_h8l.hef"))


def bound(configured, model, picture):
    outputs = {name: np.zeros(model.output(name).shape, np.float32) for name in model.output_names}
    bindings = configured.create_bindings(output_buffers=outputs)
    bindings.input().set_buffer(picture)
    return bindings


def test_a_path_must_be_text(device, hailo_platform):
    with pytest.raises(TypeError):
        device.create_infer_model(Path(hailo_platform.models) / "yolov8s_h8l.hef")


def test_pictures_are_c_contiguous_writable_and_of_the_right_size(api, model):
    configured = model.configure()
    with pytest.raises(api.HailoRTException, match="C_CONTIGUOUS"):
        bound(configured, model, np.zeros((640, 640, 4), np.uint8)[..., :3])
    frozen = np.zeros((640, 640, 3), np.uint8)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="writeable"):
        bound(configured, model, frozen)
    with pytest.raises(api.HailoRTException, match="Invalid operation"):
        configured.run_async([bound(configured, model, np.zeros((320, 640, 3), np.uint8))])


def test_results_are_views_that_the_next_run_overwrites(model):
    configured = model.configure()
    picture = np.zeros((640, 640, 3), np.uint8)
    bindings = bound(configured, model, picture)
    bindings.output().get_buffer(None)[:6] = 1, 0.1, 0.2, 0.3, 0.4, 0.9
    by_class = bindings.output().get_buffer()
    assert len(by_class) == 80
    assert by_class[0] == pytest.approx(np.array([[0.1, 0.2, 0.3, 0.4, 0.9]]))
    assert by_class[1].shape == (0, 5)
    configured.run_async([bindings]).wait(20_000)
    assert not len(bindings.output().get_buffer()[0])
    assert by_class[0][0, 4] != pytest.approx(0.9) or bindings.output().get_buffer(None)[0] == 0
    assert np.shares_memory(by_class[0], bindings.output().get_buffer(None))


def test_more_than_the_queue_holds_is_never_ready(api, model, board):
    configured = model.configure()
    configured.wait_for_async_ready(timeout_ms=1, frames_count=board.queue)
    with pytest.raises(api.pyhailort.pyhailort.HailoRTTimeout):
        configured.wait_for_async_ready(timeout_ms=1, frames_count=board.queue + 1)


def test_wait_is_silent_about_a_job_that_failed(model, board):
    board.fails = {0: 36}
    configured = model.configure()
    told = []
    job = configured.run_async(
        [bound(configured, model, np.zeros((640, 640, 3), np.uint8))],
        lambda completion_info: told.append(completion_info.exception),
    )
    job.wait(20_000)
    assert [type(fault).__name__ for fault in told] == ["HailoRTDriverOperationFailedException"]


def test_without_the_scheduler_a_network_has_to_be_activated(api, hailo_platform):
    device = api.VDevice()
    model = device.create_infer_model(str(hailo_platform.models / "yolov8s_h8l.hef"))
    configured = model.configure()
    with pytest.raises(api.HailoRTException, match="not activated"):
        configured.run_async([bound(configured, model, np.zeros((640, 640, 3), np.uint8))])


def test_a_model_keeps_its_device_taken(api, hailo_platform, board):
    device = api.VDevice()
    model = device.create_infer_model(str(hailo_platform.models / "yolov8s_h8l.hef"))
    device.release()
    with pytest.raises(api.HailoRTException, match="74"):
        api.VDevice()
    del model
    assert not board.in_use


def served(api, group="SHARED"):
    parameters = api.VDevice.create_params()
    parameters.scheduling_algorithm = api.HailoSchedulingAlgorithm.ROUND_ROBIN
    parameters.multi_process_service = True
    parameters.group_id = group
    return api.VDevice(parameters)


def test_the_service_gives_one_chip_to_those_of_one_group(api, board):
    board.service = "4.23.0"
    first, second = served(api), served(api)
    for group in ("OTHERS", ""):
        with pytest.raises(api.HailoRTException, match="74"):
            served(api, group)
    with pytest.raises(api.HailoRTException, match="74"):
        api.VDevice()
    first.release()
    assert board.in_use
    second.release()
    assert not board.in_use


def test_the_service_cannot_give_what_a_process_has_for_itself(api, board, device):
    board.service = "4.23.0"
    with pytest.raises(api.HailoRTException, match="74"):
        served(api)


@pytest.mark.parametrize(("service", "status"), [(None, "77"), ("4.22.0", "78")])
def test_a_service_that_is_not_there_or_of_another_version_gives_nothing(api, board, service, status):
    board.service = service
    with pytest.raises(api.HailoRTException, match=status):
        served(api)
    assert not board.in_use


def test_the_service_needs_the_scheduler(api, board):
    board.service = "4.23.0"
    parameters = api.VDevice.create_params()
    parameters.multi_process_service = True
    with pytest.raises(api.HailoRTException, match="Invalid argument"):
        api.VDevice(parameters)


def test_a_device_is_of_no_use_in_a_forked_process(device, hailo_platform):
    path = str(hailo_platform.models / "yolov8s_h8l.hef")
    inside, outside = multiprocessing.Pipe()

    def child():
        try:
            device.create_infer_model(path)
        except Exception as fault:
            inside.send(str(fault))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    assert "only from the process" in outside.recv()
    process.join()
