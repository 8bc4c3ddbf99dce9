internal import Codegen
internal import CodegenOpenCL

extension WorkGroups {
  /// Of the device that kernels are made for: a file that describes it; nil: of every device.
  init(deviceNamed name: String?) throws(Failure) {
    guard let name else {
      self = .portable
      return
    }
    throw .refused("the file describes no device", place: name)
  }
}
