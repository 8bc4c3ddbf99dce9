public import IR

extension Function {
  /// Compiles the function of a module into a library at `path` as the options say.
  public func compile(in module: Module, _ options: Options, to path: String) throws(Failure) {
    var times = StageTimes()
    let source = Pipeline.Source(path: name, module: module, function: self)
    try Pipeline(options).library(source, path, &times)
  }
}

/// A function compiled for this process.
public struct CompiledFunction: ~Copyable {
  private let folder: TemporaryFolder
  private let artifact: Artifact

  /// Compiles a function of a module as the options say.
  public init(_ function: Function, in module: Module, _ options: Options) throws(Failure) {
    let folder = try TemporaryFolder()
    let library = folder.file("libfunction.so")
    try function.compile(in: module, options, to: library)
    artifact = try Artifact(library, place: function.name)
    self.folder = folder
  }

  /// Runs the function on tensors in memory and writes its results into the outputs' memory; extents of all are known.
  ///
  /// The memory of inputs and outputs begins at multiples of 64 bytes, and outputs overlap nothing.
  public func run(_ inputs: [TensorMemory], into outputs: [TensorMemory]) throws(Failure) {
    try artifact.run(inputs, into: outputs)
  }

  /// The results for these arguments.
  public func callAsFunction(_ arguments: [Literal]) throws(Failure) -> [Literal] {
    let (_, dimensions) = try artifact.solve(arguments)
    let buffers = try CallBuffers(artifact, inputs: arguments, outputDimensions: dimensions)
    try artifact.run(buffers)
    return try artifact.results(in: buffers)
  }
}

/// Where a tensor's elements lie, in row-major order.
public struct TensorMemory {
  public var data: UnsafeMutableRawPointer
  public var elementType: ElementType
  public var dimensions: [Int]

  public init(data: UnsafeMutableRawPointer, elementType: ElementType, dimensions: [Int]) {
    self.data = data
    self.elementType = elementType
    self.dimensions = dimensions
  }

  var byteCount: Int { dimensions.reduce(elementType.byteCount, *) }
}
