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

  /// The results for these arguments.
  public func callAsFunction(_ arguments: [Literal]) throws(Failure) -> [Literal] {
    let (_, dimensions) = try artifact.solve(arguments)
    let buffers = try CallBuffers(artifact, inputs: arguments, outputDimensions: dimensions)
    try artifact.run(buffers)
    return buffers.results
  }
}
