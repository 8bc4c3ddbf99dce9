internal import CodegenOpenCL

extension OpenCLDevice {
  /// The device that kernels are made for: `native` is the one that models take on this machine, other names are files;
  /// nil where kernels fit every device.
  static func chosen(by options: Options) throws(Failure) -> OpenCLDevice? {
    switch options.device {
    case nil: nil
    case "native": try Devices.device(named: nil)
    case let file?: try OpenCLDevice(reading: file)
    }
  }

  /// Throws where the device cannot run the code.
  func check(_ code: DeviceCode) throws(Failure) {
    guard fp64 || !code.source.usesF64 else { throw .unsupported("f64 on the device '\(name)'") }
  }
}
