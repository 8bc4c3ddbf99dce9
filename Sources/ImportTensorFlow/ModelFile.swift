import Foundation
import IR
import SwiftProtobuf

/// A SavedModel folder or a file with a GraphDef: its messages, and the values of variables where they lie in the
/// checkpoint's mapped files.
struct ModelFile {
  /// The main graph; no two of its nodes have the same name.
  let graph: Tensorflow_GraphDef
  /// The functions of the graph's library, by name.
  let functions: [String: Tensorflow_FunctionDef]
  /// The signatures of a SavedModel, by key; none for a GraphDef.
  let signatures: [String: Tensorflow_SignatureDef]
  /// Whether the file is a SavedModel, whose signatures say what its inputs and results are.
  let isSavedModel: Bool
  private let variables: VariableValues?

  init(path: String) throws(TensorFlowError) {
    let url = URL(fileURLWithPath: path)
    if url.lastPathComponent == "saved_model.pb" {
      try self.init(folder: url.deletingLastPathComponent())
    } else if url.isFolder {
      try self.init(folder: url)
    } else {
      try self.init(graphDef: try mappedFile(url))
    }
  }

  init(graphDef bytes: Data) throws(TensorFlowError) {
    let graph: Tensorflow_GraphDef = try decoded(bytes, "a GraphDef")
    guard !graph.node.isEmpty else { throw .invalid("the file is not a GraphDef: it has no nodes") }
    try self.init(graph: graph, signatures: nil, saver: nil, checkpoint: nil)
  }

  private init(folder: URL) throws(TensorFlowError) {
    let url = folder.appendingPathComponent("saved_model.pb")
    guard FileManager.default.fileExists(atPath: url.path) else {
      guard !FileManager.default.fileExists(atPath: url.path + "txt") else {
        throw .unsupported(["SavedModels in text form (saved_model.pbtxt)"])
      }
      throw .invalid("the folder is not a SavedModel: it has no file saved_model.pb")
    }
    let model: Tensorflow_SavedModel = try decoded(try mappedFile(url), "a SavedModel")
    guard let meta = model.metaGraphs.first(where: { $0.metaInfoDef.tags.contains("serve") }) ?? model.metaGraphs.first
    else { throw .invalid("saved_model.pb has no graph") }
    let prefix = folder.appendingPathComponent("variables").appendingPathComponent("variables")
    let hasCheckpoint = FileManager.default.fileExists(atPath: prefix.path + ".index")
    try self.init(
      graph: meta.graphDef, signatures: meta.signatureDef, saver: meta.hasSaverDef ? meta.saverDef : nil,
      checkpoint: hasCheckpoint ? try Checkpoint(prefix: prefix.path) : nil)
  }

  private init(
    graph: Tensorflow_GraphDef, signatures: [String: Tensorflow_SignatureDef]?, saver: Tensorflow_SaverDef?,
    checkpoint: Checkpoint?
  ) throws(TensorFlowError) {
    self.graph = graph
    self.signatures = signatures ?? [:]
    isSavedModel = signatures != nil
    var functions: [String: Tensorflow_FunctionDef] = [:]
    for function in graph.functionLibrary.function {
      guard functions.updateValue(function, forKey: function.signature.name) == nil else {
        throw .invalid("two functions have the name '\(function.signature.name)'")
      }
    }
    self.functions = functions
    var nodes: [String: Tensorflow_NodeDef] = [:]
    for node in graph.node {
      guard nodes.updateValue(node, forKey: node.name) == nil else {
        throw .invalid("two nodes have the name '\(node.name)'")
      }
    }
    guard let checkpoint else {
      variables = nil
      return
    }
    variables = try VariableValues(nodes: nodes, functions: functions, saver: saver, checkpoint: checkpoint)
  }

  /// The value that the checkpoint has for the variable that this node of the main graph names (`VarHandleOp`,
  /// `VariableV2`), read from the file now; nil where it has none.
  func value(ofVariable node: String) throws(OpError) -> Literal? {
    try variables?.value(ofVariable: node)
  }
}

/// The message that `bytes` hold. Fields that the schema does not have are left out.
func decoded<M: SwiftProtobuf.Message>(_ bytes: Data, _ what: String) throws(TensorFlowError) -> M {
  var options = BinaryDecodingOptions()
  options.discardUnknownFields = true
  do { return try M(serializedBytes: bytes, options: options) } catch {
    throw .invalid("the file is not \(what): it is not a valid protobuf message (\(error))")
  }
}

/// The bytes of a file, read as they are asked for.
func mappedFile(_ url: URL) throws(TensorFlowError) -> Data {
  do { return try Data(contentsOf: url, options: .alwaysMapped) } catch {
    throw .invalid("the file \(url.lastPathComponent) cannot be read: \(error.localizedDescription)")
  }
}

extension URL {
  fileprivate var isFolder: Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }
}
