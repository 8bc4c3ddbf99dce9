import GraphBuilding
import IR

/// What an output of a node stands for while a graph is lowered.
enum Item {
  case tensor(Value)
  case list(TensorList)
  /// A resource that holds a tensor: the name of the node that makes it.
  case variable(String)
  /// What is no tensor and has no meaning here, such as a text: only an op that needs it is unsupported.
  case other(String)
  /// The output of a node that was reported as unsupported.
  case missing
}

/// TensorFlow's list of tensors of one type, as one tensor with a leading dimension.
struct TensorList {
  var element: ElementType
  var count: Extent
  /// The elements; nil while no element is set and their shape is not known.
  var value: Value?
}
