module @types {
  func.func public @main() -> (tensor<2xi8>, tensor<2xi16>, tensor<2xi32>, tensor<2xi64>, tensor<2xui8>, tensor<2xui16>, tensor<2xui32>, tensor<2xui64>, tensor<2xf16>, tensor<2xbf16>, tensor<2xf32>, tensor<2xf64>, tensor<2xcomplex<f32>>, tensor<2xcomplex<f64>>, tensor<9xi1>, tensor<8xi1>, tensor<5xi1>, tensor<5xi1>, tensor<i1>, tensor<0xf32>, tensor<3x0xi1>, tensor<2xi4>, tensor<2xui4>, tensor<2xf8E4M3FN>, tensor<2xf8E5M2>, tensor<1000xf32>) {
    %0 = stablehlo.constant dense<[-128, 127]> : tensor<2xi8>
    %1 = stablehlo.constant dense<[-32768, 32767]> : tensor<2xi16>
    %2 = stablehlo.constant dense<[-2147483648, 2147483647]> : tensor<2xi32>
    %3 = stablehlo.constant dense<[-9223372036854775808, 9223372036854775807]> : tensor<2xi64>
    %4 = stablehlo.constant dense<[0, 255]> : tensor<2xui8>
    %5 = stablehlo.constant dense<[0, 65535]> : tensor<2xui16>
    %6 = stablehlo.constant dense<[0, 4294967295]> : tensor<2xui32>
    %7 = stablehlo.constant dense<[0, 18446744073709551615]> : tensor<2xui64>
    %8 = stablehlo.constant dense<[-0.0, 0x7C00]> : tensor<2xf16>
    %9 = stablehlo.constant dense<[1.5, 0xFFC0]> : tensor<2xbf16>
    %10 = stablehlo.constant dense<[0x00000001, 0x7FC00000]> : tensor<2xf32>
    %11 = stablehlo.constant dense<[1.0e-300, 0xFFF0000000000000]> : tensor<2xf64>
    %12 = stablehlo.constant dense<[(1.0, -2.0), (0.0, 3.5)]> : tensor<2xcomplex<f32>>
    %13 = stablehlo.constant dense<[(1.0, -2.0), (0.0, 1.0e300)]> : tensor<2xcomplex<f64>>
    %14 = stablehlo.constant dense<[true, false, false, true, true, false, true, false, true]> : tensor<9xi1>
    %15 = stablehlo.constant dense<[true, true, true, true, true, true, true, false]> : tensor<8xi1>
    %16 = stablehlo.constant dense<true> : tensor<5xi1>
    %17 = stablehlo.constant dense<false> : tensor<5xi1>
    %18 = stablehlo.constant dense<true> : tensor<i1>
    %19 = stablehlo.constant dense<> : tensor<0xf32>
    %20 = stablehlo.constant dense<> : tensor<3x0xi1>
    %21 = stablehlo.constant dense<[-8, 7]> : tensor<2xi4>
    %22 = stablehlo.constant dense<[0, 15]> : tensor<2xui4>
    %23 = stablehlo.constant dense<[1.0, -448.0]> : tensor<2xf8E4M3FN>
    %24 = stablehlo.constant dense<[1.0, 0x7C]> : tensor<2xf8E5M2>
    %25 = stablehlo.constant dense<3.25> : tensor<1000xf32>
    return %0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25 : tensor<2xi8>, tensor<2xi16>, tensor<2xi32>, tensor<2xi64>, tensor<2xui8>, tensor<2xui16>, tensor<2xui32>, tensor<2xui64>, tensor<2xf16>, tensor<2xbf16>, tensor<2xf32>, tensor<2xf64>, tensor<2xcomplex<f32>>, tensor<2xcomplex<f64>>, tensor<9xi1>, tensor<8xi1>, tensor<5xi1>, tensor<5xi1>, tensor<i1>, tensor<0xf32>, tensor<3x0xi1>, tensor<2xi4>, tensor<2xui4>, tensor<2xf8E4M3FN>, tensor<2xf8E5M2>, tensor<1000xf32>
  }
}
