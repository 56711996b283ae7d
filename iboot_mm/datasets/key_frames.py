"""Key frames of videos, with the persons in them and what these do: AVA (arXiv:1705.08421)."""

from collections.abc import Callable, Sequence
from typing import Any

from mmaction.registry import DATASETS

from .ava_files import read_annotations, read_exclusions, read_persons
from .listing import index_named_videos, locate
from .video_folder import VideoFolder


@DATASETS.register_module()
class KeyFrames(VideoFolder):
    """A sample for each key frame; AVA's own files, and videos named after its ids.

    Without `proposal_file` boxes and actions are those of the annotations, as the study trains (Feichtenhofer et al.,
    2019, section 5: "ground-truth boxes are used as the samples for training"). With it they are the detected persons
    of more than `confidence`, in the videos that the annotations name; a key frame without any gives no sample, and
    hence no detection.

    MMAction2's `AVADataset`, whose formats these are, loads the pickle of proposals as code, puts a box around the
    whole picture where nobody was detected, takes the surest person however unsure, tests no key frame without
    annotations, and counts seconds in frames of a fixed rate.

    Args:
        root (str): Folder of the videos, files or folders of frames, each named after its id.
        ann_file (str): `ava_train_v2.2.csv` or `ava_val_v2.2.csv`.
        proposal_file (str, optional): Detected persons, see `read_persons`.
        exclude_file (str, optional): Key frames to leave out, see `read_exclusions`.
        confidence (float): Detected persons must have more; .8 in the study (appendix B.3).
        num_classes (int): Actions, numbered from 1 in the files.
        start (float): Second of the movie at which its file begins: 0 for whole movies, 900 for AVA's middle quarter
            of an hour, as PySlowFast and MMAction2 cut it out.
        pipeline (list): `OpenVideo`, `SampleKeyFrame`, `DecodeViews`, `CropViews` and `CropBoxes` or `ScaleViews`,
            `PackKeyFrame`.
        kwargs: Of `VideoFolder`.

    Raises:
        FileNotFoundError: If there is no such folder or file, or a video is missing.
        ValueError: For a file of another form.
    """

    def __init__(self, root: str, ann_file: str, pipeline: Sequence[dict | Callable] = (),
                 proposal_file: str | None = None, exclude_file: str | None = None, confidence: float = .8,
                 num_classes: int = 80, start: float = 0., **kwargs: Any) -> None:
        self.proposal_file, self.exclude_file = proposal_file, exclude_file
        self.confidence, self.start = confidence, start
        super().__init__(root, ann_file, pipeline=pipeline, num_classes=num_classes, **kwargs)

    def load_data_list(self) -> list[dict]:
        """`dict(filename, video_id, timestamp, second, labels, boxes)` with `box_labels` or `person_scores`."""
        annotated = read_annotations(locate(self.ann_file, self.root), self.num_classes)
        excluded = read_exclusions(locate(self.exclude_file, self.root)) if self.exclude_file else set()
        ids = {video for video, _ in annotated}
        if self.proposal_file:
            persons = read_persons(locate(self.proposal_file, self.root), self.confidence)
            found = {key: dict(boxes=boxes, person_scores=scores) for key, (boxes, scores) in persons.items()
                     if key[0] in ids}
        else:
            found = {key: dict(boxes=boxes, box_labels=actions) for key, (boxes, actions) in annotated.items()}
        videos = index_named_videos(self.root, ids, self.ann_file)
        entries = [dict(filename=videos[key[0]], video_id=key[0], timestamp=key[1], second=key[1] - self.start,
                        labels={}, **content) for key, content in found.items() if key not in excluded]
        if not entries:
            raise ValueError(f"'{self.proposal_file or self.ann_file}' leaves no key frame of the videos of "
                             f"'{self.ann_file}': do these files belong together?")
        return entries

    @property
    def num_videos(self) -> int:
        """Videos of which there is a key frame."""
        return len({self.get_data_info(index)['video_id'] for index in range(len(self))})
