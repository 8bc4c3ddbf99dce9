public import IR

/// A function compiled for this process.
public struct CompiledFunction: ~Copyable {
  private let folder: TemporaryFolder
  private let artifact: Artifact

  /// Compiles a function of a module as the options say.
  public init(_ function: Function, in module: Module, _ options: Options) throws(Failure) {
    let folder = try TemporaryFolder()
    let library = folder.file("libfunction.so")
    var times = StageTimes()
    let source = Pipeline.Source(path: function.name, module: module, function: function)
    try Pipeline(options).library(source, library, &times)
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
